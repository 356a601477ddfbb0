import type { ComponentProps } from "react";

export function Button({ className, ...props }: ComponentProps<"button">) {
  return (
    <button
      type="button"
      className={`inline-flex h-7 cursor-pointer items-center gap-1.5 rounded-md border border-line bg-surface px-2.5 font-medium text-xs hover:border-muted ${className ?? ""}`}
      {...props}
    />
  );
}
