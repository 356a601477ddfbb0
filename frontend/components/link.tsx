"use client";

import NextLink from "next/link";
import type { ComponentProps } from "react";
import { placed, useSnapshot } from "@/lib/snapshot/context";
import { withQuery } from "@/lib/with-query";
import { useEnvironment } from "./environment";

/** A link to a screen, which stays in the environment, or in the snapshot. */
export function Link({
  href,
  ...props
}: Omit<ComponentProps<typeof NextLink>, "href"> & { href: string }) {
  const path = placed(href, useSnapshot());
  return <NextLink href={withQuery(path, { environment: useEnvironment() })} {...props} />;
}
