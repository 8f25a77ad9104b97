"""What a page loses in forced colours: compare the page in its own colours and in forced colours.

A loss is a control without an edge, an area of colour with neither text nor edge, one of several states that looks like its
neighbour, or an invisible focus.
"""

from playwright.sync_api import Page

LOOKING = r"""
const pen = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
const painted = (colours) => {
  for (const colour of colours) {
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 1, 1);
  }
  return pen.getImageData(0, 0, 1, 1).data.join();
};
const layers = (one) => (one ? [...layers(one.parentElement), getComputedStyle(one).backgroundColor] : ["white"]);
const shows = (colour, on) => painted([...layers(on), colour]) !== painted(layers(on));
const isSeen = (one) => {
  const { width, height } = one.getBoundingClientRect();
  return width > 0 && height > 0 && one.checkVisibility({ opacityProperty: true, visibilityProperty: true });
};
const isFilled = (one) => painted(layers(one)) !== painted(layers(one.parentElement));
const drawn = (one, edge) => {
  const { [edge + "Style"]: style, [edge + "Width"]: width, [edge + "Color"]: colour } = getComputedStyle(one);
  return style !== "none" && parseFloat(width) >= 1 && shows(colour, one.parentElement);
};
const EDGES = ["borderTop", "borderRight", "borderBottom", "borderLeft", "outline"];
const hasEdge = (one) => EDGES.some((edge) => drawn(one, edge));
const hasText = (one) => one.textContent.trim() !== "" && shows(getComputedStyle(one).color, one);
"""
AREAS = f"() => {{{LOOKING} return [...document.querySelectorAll('body *')].filter((one) => isSeen(one) && isFilled(one)); }}"
LOST = (
    "(areas) => {"
    + LOOKING
    + r"""
const lost = [];
const say = (one, what) => lost.push(`${what}: ${one.outerHTML.slice(0, 90)}`);
const links = "a[href]:not(.button), summary";
const forms = "button, .button, label.take, select, textarea, input:not([type=hidden], [type=checkbox], [type=radio])";
for (const one of document.querySelectorAll(links)) {
  if (isSeen(one) && !hasText(one)) say(one, "a link that cannot be seen");
}
for (const one of document.querySelectorAll(forms)) {
  if (isSeen(one) && !hasEdge(one)) say(one, "a control without an edge");
}
for (const one of areas) {
  if (!one.isConnected || !isSeen(one) || isFilled(one)) continue;
  if (!hasText(one) && !hasEdge(one)) say(one, "told by a colour alone");
}
const state = (one) => `${one.className} ${one.ariaCurrent}`;
const shape = (one) => {
  const { textDecorationLine, fontWeight, borderTopStyle, outlineStyle } = getComputedStyle(one);
  return [textDecorationLine, fontWeight, borderTopStyle, outlineStyle].join();
};
for (const one of document.querySelectorAll("[aria-current], .stages li")) {
  const others = [...one.parentElement.children].filter((other) => isSeen(other) && state(other) !== state(one));
  if (isSeen(one) && others.some((other) => shape(other) === shape(one))) say(one, "as its neighbour");
}
for (const one of document.querySelectorAll(`${links}, ${forms}, [tabindex="0"], input`)) {
  const shown = isSeen(one) ? one : one.closest("label.take");
  one.focus();
  if (shown && isSeen(shown) && document.activeElement === one && !drawn(shown, "outline")) say(one, "no focus");
}
return lost; }"""
)


def lost_in_forced_colours(page: Page) -> list[str]:
    """Return each loss with its element; [] if there is none. Afterwards the page has its own colours again."""
    areas = page.evaluate_handle(AREAS)
    page.emulate_media(forced_colors="active")
    page.keyboard.press("Tab")  # after a key press, browsers show the focus
    lost = page.evaluate(LOST, areas)
    page.emulate_media(forced_colors="none")
    return [str(one) for one in lost]
