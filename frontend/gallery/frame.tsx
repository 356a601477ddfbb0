import { useState } from "react";
import { Button } from "@/components/button";
import { Dialog } from "@/components/dialog";
import { Banner } from "@/components/frame/banner";
import { Help } from "@/components/frame/help";
import { NotifySwitch } from "@/components/frame/notify-switch";
import { Palette } from "@/components/frame/palette";
import { HealthyIcon, UnhealthyIcon } from "@/components/icons";
import { connection } from "@/lib/connection";
import { sessionWatch } from "@/lib/session-watch";
import { as, type Places } from "./place";

/** A dialog covers all else: it is opened by a press. */
function Opens({ dialog }: { dialog: (onClose: () => void) => React.ReactNode }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button data-opens onClick={() => setOpen(true)}>
        Open
      </Button>
      {open && dialog(() => setOpen(false))}
    </>
  );
}

/** What stands around this page as around every screen: a second one would be a second banner. */
const around = as("around this page", "It is around this page.");

/** What a press brings about around this page. */
function brings(what: string, about: () => void) {
  return (
    <Button data-brings={what} onClick={about}>
      Bring about
    </Button>
  );
}

/** Those of components/frame/, and the dialog. */
export const framePlaces: Places = {
  dialog: [
    as(
      "open",
      <Opens
        dialog={(onClose) => (
          <Dialog label="A dialog" onClose={onClose}>
            <p className="p-4">
              What is asked. <Button onClick={onClose}>Close</Button>
            </p>
          </Dialog>
        )}
      />,
    ),
  ],
  footer: [around],
  "frame/banner": [
    as(
      "of what lasts",
      <Banner data-testid="banner" Icon={UnhealthyIcon} color="text-starting">
        The api has not answered since 21:00:00.
      </Banner>,
    ),
    as(
      "of what is over",
      <Banner data-testid="banner" Icon={HealthyIcon} color="text-healthy" onDismiss={() => {}}>
        The api is back.
      </Banner>,
    ),
  ],
  "frame/controls": [around],
  "frame/environment-switch": [around],
  "frame/header": [around],
  "frame/help": [as("open", <Opens dialog={(onClose) => <Help onClose={onClose} />} />)],
  "frame/navigation": [around],
  "frame/notify-switch": [as("as this browser has it", <NotifySwitch />)],
  "frame/palette": [as("open", <Opens dialog={(onClose) => <Palette onClose={onClose} />} />)],
  "frame/reconnect": [
    as(
      "away, after some seconds",
      brings("lost", () => connection.lost("lines")),
    ),
    as(
      "back",
      brings("found", () => connection.found("lines")),
    ),
  ],
  "frame/session-banner": [
    as(
      "ended",
      brings("ended", () => sessionWatch.refused(sessionWatch.current())),
    ),
    as(
      "another one",
      brings("renewed", () => sessionWatch.renewed()),
    ),
  ],
};

/** Those that show nothing themselves, and why they are there. */
export const unseen: Record<string, string> = {
  "actions/actions": "holds what is asked and what goes on",
  environment: "tells which environment the address is about",
  "frame/notifier": "tells the browser, which shows it",
};
