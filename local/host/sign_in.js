// Asks this host for a token of whom was picked, keeps it for this tab, and goes back.

const { signin, place } = document.documentElement.dataset;
const [{ keep }, { ownAddress }] = await Promise.all([import(signin), import(place)]);

for (const button of document.querySelectorAll("[data-who]")) {
  button.addEventListener("click", () => pick(button));
}

async function pick(button) {
  button.disabled = true;
  const refused = document.getElementById("refused");
  refused.hidden = true;
  try {
    const answer = await fetch("/sign-in", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ who: button.dataset.who }),
    });
    const told = await answer.json();
    if (!answer.ok) throw new Error(told.message);
    keep(told.id_token);
    location.replace(ownAddress(new URLSearchParams(location.search).get("back") ?? ""));
  } catch (error) {
    refused.textContent = error.message;
    refused.hidden = false;
    button.disabled = false;
  }
}
