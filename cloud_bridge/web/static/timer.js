// Counts the 30 seconds between off and on, for people who are working at the consumer unit. Without it, they count
// themselves.
const says = document.querySelector('script[src$="/timer.js"]').dataset; // our texts, in the reader's language

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-timer] button");
  if (button) run(button.parentElement, button);
});

function run(timer, button) {
  const output = timer.querySelector("output");
  const endsAt = Date.now() + Number(timer.dataset.timer) * 1000;
  button.hidden = true;
  output.setAttribute("aria-live", "assertive");
  const show = () => {
    const left = Math.ceil((endsAt - Date.now()) / 1000);
    if (left > 0) {
      output.textContent = `${left} s`;
      output.setAttribute("aria-live", "off"); // do not read every second aloud
      return;
    }
    clearInterval(ticking);
    output.setAttribute("aria-live", "assertive");
    output.textContent = says.over;
    output.classList.add("over");
    navigator.vibrate?.(400);
  };
  const ticking = setInterval(show, 200);
  show();
}

function reveal() {
  for (const timer of document.querySelectorAll("[data-timer][hidden]")) timer.hidden = false;
}

reveal();
new MutationObserver(reveal).observe(document.querySelector("main"), { childList: true, subtree: true });
