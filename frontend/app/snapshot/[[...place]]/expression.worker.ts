import { type Asked, tryExpression } from "./expression";

// Beside the page: an expression may take for ever, and only a worker can be ended then.
addEventListener("message", ({ data }: MessageEvent<Asked>) => postMessage(tryExpression(data)));
