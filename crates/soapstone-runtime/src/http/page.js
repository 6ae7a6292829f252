// Sends what a form holds and shows the answer below it.
for (const form of document.querySelectorAll("form.try")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const output = form.querySelector("output");
    let url = form.dataset.url;
    const query = new URLSearchParams();
    for (const input of form.querySelectorAll("input[data-in]")) {
      if (input.value === "") continue;
      if (input.dataset.in === "path") url = url.replace(`{${input.name}}`, encodeURIComponent(input.value));
      else query.append(input.name, input.value);
    }
    if ([...query].length > 0) url += `?${query}`;
    const body = form.querySelector("textarea")?.value;
    const options = { method: form.dataset.method, headers: {} };
    if (body !== undefined) {
      options.body = body;
      options.headers["content-type"] = form.dataset.type;
    }
    output.hidden = false;
    output.textContent = "…";
    try {
      const answer = await fetch(url, options);
      let text = await answer.text();
      try { text = JSON.stringify(JSON.parse(text), null, 2); } catch { text = text.replace(/></g, ">\n<"); }
      output.textContent = `${answer.status} ${answer.statusText}\n\n${text}`;
    } catch (error) {
      output.textContent = String(error);
    }
  });
}
