import type { ReactNode } from "react";

/** Every icon stands beside its word, so none is read aloud. */
function Icon({ className, children }: { className?: string; children: ReactNode }) {
  return (
    <svg
      viewBox="0 0 16 16"
      aria-hidden="true"
      className={`size-4 shrink-0 fill-none stroke-[1.5] stroke-current ${className ?? ""}`}
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      {children}
    </svg>
  );
}

type IconProps = { className?: string };

/** A filled disc with a tick. */
export function HealthyIcon(props: IconProps) {
  return (
    <Icon {...props}>
      <circle cx="8" cy="8" r="6.25" className="fill-current" />
      <path d="m5.3 8.2 1.9 1.9 3.6-4" className="stroke-surface" />
    </Icon>
  );
}

/** A ring that turns. */
export function StartingIcon({ className }: IconProps) {
  return (
    <Icon className={`animate-spin [animation-duration:1.6s] ${className ?? ""}`}>
      <circle cx="8" cy="8" r="6.25" className="opacity-25" />
      <path d="M8 1.75a6.25 6.25 0 0 1 6.25 6.25" />
    </Icon>
  );
}

/** A filled octagon with an exclamation mark. */
export function UnhealthyIcon(props: IconProps) {
  return (
    <Icon {...props}>
      <path
        d="M5.4 1.75h5.2l3.65 3.65v5.2l-3.65 3.65H5.4L1.75 10.6V5.4z"
        className="fill-current"
      />
      <path d="M8 4.8v3.6M8 11.1v.01" className="stroke-surface" />
    </Icon>
  );
}

/** A dashed ring. */
export function PendingIcon(props: IconProps) {
  return (
    <Icon {...props}>
      <circle cx="8" cy="8" r="6.25" strokeDasharray="2.2 2.7" />
    </Icon>
  );
}

/** A ring that is crossed out. */
export function RemovedIcon(props: IconProps) {
  return (
    <Icon {...props}>
      <circle cx="8" cy="8" r="6.25" />
      <path d="M5.4 8h5.2" />
    </Icon>
  );
}

export function PauseIcon(props: IconProps) {
  return (
    <Icon {...props}>
      <path d="M5.5 3.5v9M10.5 3.5v9" />
    </Icon>
  );
}

export function PlayIcon(props: IconProps) {
  return (
    <Icon {...props}>
      <path d="M5 3.2v9.6L12.5 8z" className="fill-current" />
    </Icon>
  );
}

/** An arrow that goes around. */
export function RestartIcon(props: IconProps) {
  return (
    <Icon {...props}>
      <path d="M13 8a5 5 0 1 1-1.6-3.7M13 2.2v2.9h-2.9" />
    </Icon>
  );
}

/** Lines of a text, one of which has a mark. */
export function ErrorsIcon(props: IconProps) {
  return (
    <Icon {...props}>
      <path d="M2.5 4h7M2.5 8h5M2.5 12h11M13 2.5v4M13 8.9v.01" />
    </Icon>
  );
}
