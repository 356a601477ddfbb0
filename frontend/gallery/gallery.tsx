"use client";

import { Fragment, useEffect, useState } from "react";
import { components } from "./components";
import { parts } from "./parts";
import type { Places } from "./place";

/** Every component in every state, made of the components themselves; the browser chooses light or dark. */
export function Gallery() {
  const [listens, setListens] = useState(false);
  useEffect(() => setListens(true), []);
  return (
    <div data-testid="gallery" data-listens={listens}>
      <h1 className="font-semibold text-xl tracking-tight">Components</h1>
      <p className="mt-1 mb-8 text-muted">
        Those of components/, then parts of the screens. The frame around this page is one of them.
      </p>
      <Section places={components} />
      <Section places={parts} />
    </div>
  );
}

function Section({ places }: { places: Places }) {
  return Object.entries(places).map(([name, all]) => (
    <div key={name} data-component={name} className="mb-10">
      <h2 className="mb-3 border-line border-b pb-1 font-mono text-xs">{name}</h2>
      <dl className="grid gap-x-6 gap-y-4 sm:grid-cols-[10rem_minmax(0,1fr)]">
        {all.map(({ state, element }) => (
          <Fragment key={state}>
            <dt className="text-muted text-xs">{state}</dt>
            <dd className="min-w-0">{element}</dd>
          </Fragment>
        ))}
      </dl>
    </div>
  ));
}
