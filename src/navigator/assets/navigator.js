// A page with something at work fetches itself again, and changes what changed.
const live = () => document.querySelector("main[data-live]");

async function refresh() {
  if (!live()) return;
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (answer.ok) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("main");
      if (fresh) document.querySelector("main").replaceWith(fresh);
    }
  } catch {
    // The server may be starting again; the next round will tell.
  }
  setTimeout(refresh, 1000);
}

setTimeout(refresh, 1000);

// A file is dropped where it can be chosen.
const drop = document.querySelector(".drop");
if (drop) {
  const input = drop.querySelector("input");
  const chosen = drop.querySelector(".chosen");
  const tell = () => { chosen.textContent = input.files.length ? input.files[0].name : ""; };
  input.addEventListener("change", tell);
  for (const name of ["dragenter", "dragover"]) {
    drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.add("over"); });
  }
  for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    input.files = event.dataTransfer.files;
    tell();
  });
}

// What cannot be taken back is asked once more.
document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (!button?.classList.contains("grave")) return;
  const what = button.getAttribute("aria-label") ?? button.textContent;
  if (!confirm(`${what}? ${button.title}`)) event.preventDefault();
});
