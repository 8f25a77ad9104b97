// The description of the interface, shown by Swagger UI. It asks nobody but us: no validator, nothing of the page's address.
const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

SwaggerUIBundle({
  url: document.getElementById("description").href,
  dom_id: "#docs",
  validatorUrl: "none",
  defaultModelsExpandDepth: -1, // each is shown where it is used
});
