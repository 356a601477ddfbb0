"use client";

import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { z } from "zod";
import { connection } from "@/lib/connection";
import type { Outcome } from "@/lib/problem";
import { useSnapshot } from "@/lib/snapshot/context";
import { usePolled } from "@/lib/use-polled";
import { withQuery } from "@/lib/with-query";
import { servicesQuery } from "./queries";
import { type Services, serviceSchema, servicesSchema } from "./schema";

/** How long a connection that broke is left alone, in milliseconds: polls go on meanwhile. */
const RETRY_MS = 2_000;

/** What changed since the frame before; the first one has all services. */
const frameSchema = z.object({
  kubernetes: servicesSchema.shape.kubernetes,
  changed: z.array(serviceSchema),
  removed: z.array(z.string()),
});
type Frame = z.infer<typeof frameSchema>;

/** The services as they change: told by the api at once, and asked for every two seconds in case it does not tell. */
export function useServices(
  environment: string | undefined,
  initial: Outcome<Services>,
  clock: { renderedAt: number; now: number; paused: boolean },
) {
  const queries = useQueryClient();
  const still = useSnapshot() !== undefined || clock.paused;
  useEffect(() => {
    if (still) {
      return;
    }
    const { queryKey } = servicesQuery(environment);
    const unfollow = followServices(
      environment,
      (frame) => {
        const before = queries.getQueryData(queryKey);
        if (before) {
          // An answer that is on its way may be older.
          void queries.cancelQueries({ queryKey });
          queries.setQueryData(queryKey, withFrame(before, frame));
        }
      },
      {
        opened: () => connection.found("services"),
        broken: () => connection.lost("services"),
      },
    );
    return () => {
      unfollow();
      connection.found("services");
    };
  }, [environment, still, queries]);
  return usePolled(servicesQuery(environment), initial, clock);
}

/** Each service keeps its place; new ones come last, until the next answer has all in order. */
export function withFrame(before: Services, { kubernetes, changed, removed }: Frame): Services {
  const news = new Map(changed.map((service) => [service.name, service]));
  const stay = before.services
    .filter(({ name }) => !removed.includes(name))
    .map((service) => {
      const fresh = news.get(service.name);
      news.delete(service.name);
      return fresh ?? service;
    });
  return { ...before, kubernetes, services: [...stay, ...news.values()] };
}

/** Hands on each frame of services as they change, by a view that is opened again when it breaks; returns what ends it. */
export function followServices(
  environment: string | undefined,
  take: (frame: Frame) => void,
  view: { opened?: () => void; broken?: () => void } = {},
): () => void {
  const path = withQuery("/api/v1/live/services", { environment });
  let socket: WebSocket | undefined;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let opened = false;
  const connect = () => {
    const url = new URL(path, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    socket = new WebSocket(url);
    socket.onopen = () => {
      opened = true;
      view.opened?.();
    };
    socket.onmessage = ({ data }) => {
      const frame = frameSchema.safeParse(JSON.parse(String(data)));
      if (frame.success) {
        take(frame.data);
      }
    };
    socket.onclose = () => {
      // One that never was there is no loss: polls do without.
      if (opened) {
        view.broken?.();
      }
      retry = setTimeout(connect, RETRY_MS);
    };
  };
  connect();
  return () => {
    clearTimeout(retry);
    if (socket) {
      socket.onopen = null;
      socket.onclose = null;
      socket.onmessage = null;
      socket.close();
    }
  };
}
