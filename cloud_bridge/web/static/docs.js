// Shows the OpenAPI description with Swagger UI. It sends nothing to other servers: no validator, and not the page's address.
const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

SwaggerUIBundle({
  url: document.getElementById("description").href,
  dom_id: "#docs",
  validatorUrl: "none",
  defaultModelsExpandDepth: -1, // each schema is shown where it is used
});
