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
