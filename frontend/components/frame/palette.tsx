"use client";

import { useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, useId, useState } from "react";
import { useActions } from "@/components/actions/actions";
import { Dialog } from "@/components/dialog";
import { useEnvironment, useGo } from "@/components/environment";
import { stateLook } from "@/components/state";
import { type Action, actions, whyNot } from "@/lib/actions/actions";
import { actionLabel } from "@/lib/actions/words";
import { serverClock } from "@/lib/clock";
import {
  ERRORS_MINUTES,
  errorsScreenPath,
  screens,
  servicePath,
  snapshotScreenPath,
} from "@/lib/screens";
import { servicesQuery } from "@/lib/stack/queries";
import type { Service, State } from "@/lib/stack/schema";

interface Target {
  label: string;
  /** Of a screen. */
  href?: string;
  /** Of a service. */
  state?: State;
  /** What can be done to a service. */
  change?: { service: string; action: Action };
}

const snapshots: Target[] = [
  { href: snapshotScreenPath("save"), label: "Save a snapshot" },
  { href: snapshotScreenPath("open"), label: "Open a snapshot" },
];

/** All services and screens, and for who writes what can be done to each service, its errors, and snapshots. */
function targetsOf(services: Service[], writes: boolean): Target[] {
  return [
    ...services.map(({ name, state }) => ({ href: servicePath(name), label: name, state })),
    ...screens.map(({ href, label }) => ({ href, label })),
    ...(writes ? services.flatMap(changesOf) : []),
    ...(writes ? services.flatMap(errorsOf) : []),
    ...(writes ? snapshots : []),
  ];
}

/** What an unhealthy service wrote when it broke may be older than what was written lately. */
function errorsOf({ name, state }: Service): Target[] {
  const all = { label: `Error lines of ${name}`, href: errorsScreenPath(name) };
  const lately = {
    label: `Errors of ${name} in the last ${ERRORS_MINUTES} minutes`,
    href: errorsScreenPath(name, serverClock.now()),
  };
  return state === "unhealthy" ? [all, lately] : [lately];
}

function changesOf(service: Service): Target[] {
  return actions
    .filter((action) => !whyNot(action, service))
    .map((action) => ({
      label: `${actionLabel[action]} ${service.name}`,
      change: { service: service.name, action },
    }));
}

/** Finds a service, a screen or an action by a part of its name, and goes there or asks about it. */
export function Palette({ onClose }: { onClose: () => void }) {
  const go = useGo();
  const environment = useEnvironment();
  const ask = useActions();
  const list = useId();
  const [text, setText] = useState("");
  const [marked, setMarked] = useState(0);
  // What the screen below has read is listed as it is: that one may be held still.
  const { data } = useQuery({
    ...servicesQuery(environment),
    refetchInterval: false,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const wanted = text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = targetsOf(data?.services ?? [], wanted.length > 0).filter(({ label }) =>
    wanted.every((part) => label.toLowerCase().includes(part)),
  );
  const at = Math.min(marked, found.length - 1);

  function pick(target: Target | undefined) {
    if (target) {
      onClose();
      if (target.change) {
        ask?.(target.change);
      } else if (target.href) {
        go(target.href);
      }
    }
  }

  function onKeyDown(event: KeyboardEvent) {
    const next = { ArrowDown: at + 1, ArrowUp: at - 1 }[event.key];
    if (next !== undefined && found.length > 0) {
      event.preventDefault();
      setMarked((next + found.length) % found.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      pick(found[at]);
    }
  }

  return (
    <Dialog label="Go to" onClose={onClose}>
      <div data-testid="palette">
        <input
          autoFocus
          role="combobox"
          aria-label="Service, screen or action"
          aria-expanded="true"
          aria-controls={list}
          aria-activedescendant={found[at] && `${list}-${at}`}
          autoComplete="off"
          spellCheck={false}
          placeholder="Go to a service or a screen, or write an action"
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setMarked(0);
          }}
          onKeyDown={onKeyDown}
          className="h-11 w-full border-line border-b bg-transparent px-4 outline-none placeholder:text-muted"
        />
        <div
          id={list}
          role="listbox"
          aria-label="Services, screens and actions"
          className="max-h-80 overflow-y-auto p-1"
        >
          {found.map((target, i) => (
            <Option
              key={target.label}
              id={`${list}-${i}`}
              target={target}
              marked={i === at}
              onPick={() => pick(target)}
            />
          ))}
        </div>
        {found.length === 0 && (
          <p role="status" className="px-4 pb-4 text-muted">
            No service, screen or action has “{text.trim()}” in its name.
          </p>
        )}
      </div>
    </Dialog>
  );
}

function Option({
  id,
  target,
  marked,
  onPick,
}: {
  id: string;
  target: Target;
  marked: boolean;
  onPick: () => void;
}) {
  const look = target.state && stateLook[target.state];
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the input above has the focus and takes the keys
    // biome-ignore lint/a11y/useFocusableInteractive: aria-activedescendant marks it instead
    <div
      id={id}
      role="option"
      aria-selected={marked}
      ref={(element) => {
        if (marked) {
          element?.scrollIntoView({ block: "nearest" });
        }
      }}
      onClick={onPick}
      className={`flex cursor-pointer items-center gap-2 rounded-md px-3 py-1.5 hover:bg-canvas ${marked ? "bg-canvas outline-2 outline-accent -outline-offset-2" : ""}`}
    >
      <span className="wrap-anywhere">{target.label}</span>
      <span className="ml-auto flex items-center gap-1.5 text-muted text-xs">
        {look ? (
          <span className={`flex items-center gap-1.5 ${look.color}`}>
            <look.Icon className="animate-none!" />
            {look.label}
          </span>
        ) : (
          (target.change && "Action") || "Screen"
        )}
      </span>
    </div>
  );
}
