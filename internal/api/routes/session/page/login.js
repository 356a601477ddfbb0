// Sends the ticket of a login link and goes on to the dashboard.

const say = (text) => {
  document.getElementById("said").textContent = text;
};

async function logIn() {
  const ticket = location.hash.slice(1);
  history.replaceState(null, "", location.pathname); // it is used up, and need not be seen
  if (!ticket) {
    say("This page is opened by a login link: `zr dashboard` makes one.");
    return;
  }
  const answer = await fetch("/api/v1/session", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ ticket }),
  });
  const body = await answer.json();
  if (!answer.ok) {
    say(body.detail);
    return;
  }
  say(`Logged in as ${body.name} (${body.role}).`);
  location.replace(document.getElementById("dashboard").href);
}

logIn().catch((error) => say(`Logging in failed: ${error.message}`));
