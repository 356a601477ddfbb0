"use client";

import { type ReactNode, useEffect, useRef } from "react";

/**
 * A modal dialog that is open as long as it is rendered. The browser keeps the
 * focus inside, closes it on Escape, and gives the focus back.
 */
export function Dialog({
  label,
  onClose,
  children,
}: {
  label: string;
  onClose: () => void;
  children: ReactNode;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-label={label}
      // It is open again where React only tries out, in development, how it is left.
      onClose={({ currentTarget }) => currentTarget.open || onClose()}
      // A press beside the content is one on the dialog itself: its backdrop.
      onPointerDown={(event) => event.target === event.currentTarget && onClose()}
      className="mx-auto mt-[12vh] w-[calc(100%-2rem)] max-w-lg rounded-lg border border-line bg-surface p-0 text-ink backdrop:bg-scrim"
    >
      {children}
    </dialog>
  );
}
