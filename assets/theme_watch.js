// Streamlit does not run the page again when the viewer switches between light and dark, so charts would keep the
// other theme's colours. A probe with the page's background notices the switch and asks for one run.
const asked = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  const probe = parentElement.querySelector(".probe");
  const shown = () => {
    const [red, green, blue] = getComputedStyle(probe).backgroundColor.match(/[\d.]+/g).map(Number);
    return 0.3 * red + 0.59 * green + 0.11 * blue < 128 ? "dark" : "light";
  };
  const compare = () => {
    const now = shown();
    if (now === data.mode) { asked.delete(probe); return; }
    if (asked.get(probe) === now) return; // asked already: never in a circle
    asked.set(probe, now);
    setTriggerValue("switched", now);
  };
  const ending = new AbortController();
  probe.addEventListener("transitionend", compare, { signal: ending.signal });
  compare();
  return () => ending.abort();
}
