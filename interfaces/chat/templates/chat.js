// What is new in the conversation, every second while the page is seen. Nothing that is being typed is replaced.
"use strict";
const lines = document.getElementById("lines");
async function look() {
  if (document.hidden || lines.contains(document.activeElement)) return;
  const answer = await fetch("/chat/lines", { credentials: "same-origin", headers: { "day2-watching": "1" } });
  if (answer.status === 401) { location.reload(); return; } // the session is over: the page asks who is there
  if (!answer.ok) return;
  const text = await answer.text();
  if (text !== lines.dataset.shown) {
    lines.dataset.shown = text;
    lines.innerHTML = text;
  }
}
window.scrollTo(0, document.body.scrollHeight);
setInterval(() => look().catch(() => undefined), 1000);
