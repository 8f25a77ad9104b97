// The description of the interface, shown by Swagger UI. It asks nobody but us: no validator, no settings in the address.
SwaggerUIBundle({
  url: document.getElementById("description").href,
  dom_id: "#docs",
  validatorUrl: "none",
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  tagsSorter: "alpha",
});
