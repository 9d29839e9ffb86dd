"use strict";
// The newest message is in sight, and Ctrl+Enter sends.

const thread = document.getElementById("thread");
const answer = document.getElementById("answer");

function down() {
  if (thread) thread.scrollTop = thread.scrollHeight;
}
down();
if (thread) {
  let atEnd = true;
  thread.addEventListener("scroll", () => {
    atEnd = thread.scrollHeight - thread.scrollTop - thread.clientHeight < 40;
  });
  thread.addEventListener("renewed", () => { if (atEnd) down(); });
}
if (answer) {
  answer.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) answer.requestSubmit();
  });
}
