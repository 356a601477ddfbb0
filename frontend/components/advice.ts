import type { ProblemCode } from "@/lib/problem";

export interface Advice {
  title: string;
  /** What to do, in order, each with the command for it. */
  steps: { text: string; command: string }[];
}

const apiSteps = [
  { text: "See what keeps the api from running:", command: "zr status" },
  { text: "Read what it said last:", command: "zr logs api" },
  { text: "Bring the stack back to what the source says:", command: "zr up" },
];

const versionSteps = [
  { text: "Bring the dashboard and the api to the same version:", command: "zr up" },
];

/** What a person can do about each problem. */
export const advice: Record<ProblemCode, Advice> = {
  frontend_unreachable: {
    title: "The dashboard’s server does not answer",
    steps: [
      { text: "See whether the cluster and the frontend run:", command: "zr status" },
      { text: "Bring the stack back:", command: "zr up" },
    ],
  },
  api_unreachable: { title: "The api cannot be reached", steps: apiSteps },
  api_timeout: { title: "The api does not answer in time", steps: apiSteps },
  not_logged_in: {
    title: "This is for people who are logged in",
    steps: [{ text: "Get a login link and open it in this browser:", command: "zr dashboard" }],
  },
  not_found: {
    title: "It is not there",
    steps: [{ text: "See what runs:", command: "zr status" }],
  },
  foreign_page: { title: "A page of another address asked for it", steps: [] },
  not_allowed: {
    title: "Your role may look, and not change anything",
    steps: [{ text: "Get a link that logs in an operator:", command: "zr dashboard" }],
  },
  refused: { title: "The api refused it", steps: [] },
  changed_meanwhile: { title: "Somebody else has changed it meanwhile", steps: [] },
  invalid: { title: "This cannot be written", steps: [] },
  dev_failed: {
    title: "The attached zr dev did not do it",
    steps: [{ text: "See what the cluster has now:", command: "zr status" }],
  },
  job_failed: {
    title: "The Job failed",
    steps: [{ text: "Read what the services wrote:", command: "zr logs" }],
  },
  not_in_effect: {
    title: "It has not taken effect yet",
    steps: [{ text: "See what keeps its pods from being ready:", command: "zr status" }],
  },
  api_error: {
    title: "The api cannot answer",
    steps: [
      { text: "Read what it says about that:", command: "zr logs api" },
      { text: "See the state of what it depends on:", command: "zr status" },
    ],
  },
  api_unexpected: { title: "The api speaks another version", steps: versionSteps },
  not_in_snapshot: { title: "The snapshot does not have this", steps: [] },
  not_forwarded: { title: "The dashboard refused its own request", steps: versionSteps },
  bad_query: { title: "The dashboard refused its own request", steps: versionSteps },
};
