import Greeting from "./greeting";

async function greet(data) {
  "use server";
  return `hello ${data.get("name")}`;
}

export default function Page() {
  return (
    <form action={greet}>
      <Greeting />
      <input name="name" />
    </form>
  );
}
