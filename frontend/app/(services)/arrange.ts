import { Graph, layout } from "@dagrejs/dagre";
import type { Dependency } from "./dependencies";

/** The size of a service in the graph, in pixels: a name of twenty letters is seen whole. */
export const BOX = { width: 176, height: 40 };

/** Between services of a column, and between columns, in pixels: an arrow with its mark has room. */
const GAP = { row: 14, column: 64 };

/** How many services that have nothing to do with others stand in a row. */
const ALONE_IN_A_ROW = 4;

export interface Place {
  name: string;
  /** The upper left corner, in pixels. */
  x: number;
  y: number;
}

export interface Arrow extends Dependency {
  /** A path of SVG. */
  path: string;
  /** Where its mark is. */
  x: number;
  y: number;
}

export interface Arrangement {
  width: number;
  height: number;
  places: Place[];
  arrows: Arrow[];
}

/** Puts who needs something left of it, so that no box covers another; those that stand alone come below, row by row. */
export function arrange(names: string[], dependencies: Dependency[]): Arrangement {
  const tied = new Set(dependencies.flatMap(({ from, to }) => [from, to]));
  const graph = new Graph();
  graph.setGraph({ rankdir: "LR", nodesep: GAP.row, ranksep: GAP.column, marginx: 4, marginy: 4 });
  for (const name of names.filter((each) => tied.has(each))) {
    graph.setNode(name, { ...BOX });
  }
  for (const { from, to } of dependencies) {
    graph.setEdge(from, to, {});
  }
  layout(graph);
  const { width: right = 0, height: below = 0 } = tied.size > 0 ? graph.graph() : {};
  const alone = names
    .filter((each) => !tied.has(each))
    .map((name, i) => placeAlone(name, i, below));
  const places = graph.nodes().map((name) => {
    const { x, y } = graph.node(name);
    return { name, x: x - BOX.width / 2, y: y - BOX.height / 2 };
  });
  const all = [...places, ...alone];
  return {
    width: Math.max(right, ...all.map(({ x }) => x + BOX.width + 4)),
    height: Math.max(below, ...all.map(({ y }) => y + BOX.height + 4)),
    places: all,
    arrows: dependencies.map((each) => {
      const { from, to } = each;
      return arrow(each, graph.node(from), graph.node(to), graph.edge(from, to).points);
    }),
  };
}

function placeAlone(name: string, i: number, below: number): Place {
  return {
    name,
    x: 4 + (i % ALONE_IN_A_ROW) * (BOX.width + GAP.row),
    y: below + 4 + Math.floor(i / ALONE_IN_A_ROW) * (BOX.height + GAP.row),
  };
}

interface Point {
  x: number;
  y: number;
}

/** How far before its end the mark of an arrow is, in pixels. */
const MARK = 14;

/** A line from side to side, which bends where dagre leads it past the services between. */
function arrow(dependency: Dependency, from: Point, to: Point, points: Point[]): Arrow {
  // Of services that need each other, one stands right of what it needs.
  const side = from.x < to.x ? BOX.width / 2 : -BOX.width / 2;
  const begin = { x: from.x + side, y: from.y };
  const end = { x: to.x - side, y: to.y };
  const between = points.length > 3 ? points.slice(1, -1) : [];
  const path = [begin, ...between, end].map((point, i, all) => bend(all[i - 1], point)).join("");
  return { ...dependency, path, x: end.x - Math.sign(side) * MARK, y: end.y };
}

/** Leaves a point and comes to the next level with both. */
function bend(from: Point | undefined, to: Point): string {
  if (!from) {
    return `M${at(to.x, to.y)}`;
  }
  const middle = (from.x + to.x) / 2;
  return `C${at(middle, from.y)} ${at(middle, to.y)} ${at(to.x, to.y)}`;
}

function at(x: number, y: number): string {
  return `${x.toFixed(1)} ${y.toFixed(1)}`;
}
