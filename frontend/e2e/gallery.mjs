// Has the page of all components in a development build until Ctrl-C.

import { once } from "node:events";
import { startGallery } from "./support/gallery.mjs";

const gallery = await startGallery();
console.log(gallery.url);
await once(process, "SIGINT");
await gallery.stop();
