import { LogsClient } from "./client";

export default function LogsPage() {
  return <LogsClient renderedAt={Date.now()} />;
}
