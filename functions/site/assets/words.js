// What sentences are in the page's language.

const address = document.documentElement.dataset.words;
const words = address ? await load(address) : {};

async function load(from) {
  try {
    return await (await fetch(from)).json();
  } catch {
    return {}; // in English rather than not at all
  }
}

/** The English `sentence` in the page's language, with `{name}` replaced by the values of those names. */
export function t(sentence, values = {}) {
  return (words[sentence] ?? sentence).replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
}

/** The English sentence itself, for tables from which `t` takes one later: so that its translation is asked for. */
export const sentence = (english) => english;
