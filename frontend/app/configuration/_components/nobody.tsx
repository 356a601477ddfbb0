/** Why who looks may change nothing, and what to do about it. */
export function Nobody({ text, command }: { text: string; command?: string }) {
  return (
    <p role="status" data-testid="why-not" className="border-starting border-l-2 pl-3 text-xs">
      {text}{" "}
      {command && (
        <code className="select-all rounded border border-line bg-canvas px-1.5 py-0.5 font-mono">
          {command}
        </code>
      )}
    </p>
  );
}
