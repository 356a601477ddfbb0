export function text(): string {
  return "one";
}
