
"use strict";
// Figures carry their own data; the page's colours reach them through its style sheet.
for (const place of document.querySelectorAll("[data-chart]")) {
  const figure = JSON.parse(document.getElementById(place.dataset.chart).textContent);
  const config = { responsive: true, displayModeBar: false, displaylogo: false, showTips: false };
  Plotly.newPlot(place, figure.data, figure.layout, config).then(() => place.setAttribute("data-drawn", ""));
}
addEventListener("beforeprint", () => {
  for (const place of document.querySelectorAll("[data-drawn]")) Plotly.Plots.resize(place);
});
