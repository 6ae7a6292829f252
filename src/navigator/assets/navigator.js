// A page with something at work is told when it moved, fetches itself again, and changes what changed.
const live = () => document.querySelector("main[data-live]");

async function refresh() {
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (answer.ok) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("main");
      if (fresh) document.querySelector("main").replaceWith(fresh);
      reach();
    }
  } catch {
    // The server may be starting again; the next event will tell.
  }
}

if (live()) {
  const events = new EventSource("/navigator/events");
  let busy = false;
  let missed = false;
  events.addEventListener("moved", async () => {
    // One at a time; what came meanwhile is fetched once.
    missed = busy;
    if (busy) return;
    busy = true;
    do {
      missed = false;
      await refresh();
    } while (missed);
    busy = false;
    if (!live()) events.close();
  });
  // What moved before it was listened to.
  events.addEventListener("here", refresh);
}

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

// Profiles and filters are written in colour: what is typed lies over a text that has it.
const LANGUAGES = {
  toml: [
    ["comment", /#.*/y], ["string", /"""[\s\S]*?"""|\'[^\'\n]*\'|"(?:\\.|[^"\\\n])*"/y],
    ["word", /^[ \t]*\[\[?[^\]\n]*\]\]?|\b(?:true|false)\b/my], ["number", /\b\d[\d_.:TZ-]*\b/y], ["name", /[\w.-]+(?=\s*=)/y],
  ],
  rhai: [
    ["comment", /\/\/.*|\/\*[\s\S]*?\*\//y], ["string", /"(?:\\.|[^"\\])*"|`[^`]*`/y], ["number", /\b\d[\d_.]*\b/y],
    ["word", /\b(?:let|const|if|else|switch|for|in|while|loop|do|until|break|continue|return|throw|try|catch|fn|true|false|this)\b/y],
    ["name", /\b(?:skip|reject|warn|existing|lookup|record|run)\b/y],
  ],
};

function lit(text, rules) {
  const parts = document.createDocumentFragment();
  let plain = "";
  for (let at = 0; at < text.length;) {
    let found = null;
    for (const [kind, rule] of rules) {
      rule.lastIndex = at;
      const match = rule.exec(text);
      if (match?.[0]) { found = [kind, match[0]]; break; }
    }
    if (!found) {
      // A word is passed over as a whole, so that no rule sees its end as a beginning.
      const word = /\w+|[\s\S]/y;
      word.lastIndex = at;
      const [skipped] = word.exec(text);
      plain += skipped;
      at += skipped.length;
      continue;
    }
    const part = document.createElement("span");
    [part.className, part.textContent] = found;
    parts.append(plain, part);
    plain = "";
    at += found[1].length;
  }
  parts.append(plain, "\n");
  return parts;
}

for (const editor of document.querySelectorAll(".code-editor")) {
  const [picture, area, rules] = [editor.querySelector("pre"), editor.querySelector("textarea"), LANGUAGES[editor.dataset.language]];
  const draw = () => {
    picture.replaceChildren(lit(area.value, rules));
    area.rows = area.value.split("\n").length + 1;
  };
  editor.classList.add("lit");
  area.addEventListener("input", draw);
  area.addEventListener("scroll", () => { picture.scrollLeft = area.scrollLeft; picture.scrollTop = area.scrollTop; });
  draw();
}

// What is tried is what stands in the editor.
document.addEventListener("submit", (event) => {
  for (const copy of event.target.querySelectorAll("[data-copy]")) {
    const from = document.querySelector(`#editor [name="${copy.dataset.copy}"]`);
    if (from) copy.value = from.value;
  }
});

// What is wider than its place can be moved by the keyboard too, where nothing in it takes the focus.
function reach() {
  for (const place of document.querySelectorAll(".scroll, .wide, pre:not([aria-hidden])")) {
    const isWider = place.scrollWidth > place.clientWidth || place.scrollHeight > place.clientHeight + 1;
    if (isWider && !place.querySelector("a, button, input, select, textarea")) place.tabIndex = 0;
  }
}

reach();
addEventListener("resize", reach);
