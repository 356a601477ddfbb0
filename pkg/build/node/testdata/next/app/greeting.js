"use client";

export default function Greeting() {
  return <h1>hello from the fixture</h1>;
}
