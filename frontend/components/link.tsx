"use client";

import NextLink from "next/link";
import type { ComponentProps } from "react";
import { withQuery } from "@/lib/with-query";
import { useEnvironment } from "./environment";

/** A link to a screen, which stays in the environment. */
export function Link({
  href,
  ...props
}: Omit<ComponentProps<typeof NextLink>, "href"> & { href: string }) {
  return <NextLink href={withQuery(href, { environment: useEnvironment() })} {...props} />;
}
