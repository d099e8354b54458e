// Puts in the part of the page that changed. Without it the page is whole; it is read again to see more.
const part = document.querySelector("[data-live]");
if (part) {
  const source = new EventSource(part.dataset.live);
  source.addEventListener("message", (event) => { part.innerHTML = event.data; });
  source.addEventListener("state", () => { source.close(); location.reload(); });
}
