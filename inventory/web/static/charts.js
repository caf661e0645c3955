// Draws a chart from the table beside it, so that both always show the same figures.
"use strict";

function figures(table) {
  const heads = Array.from(table.tHead.rows[0].cells, (cell) => cell.textContent.trim());
  const rows = Array.from(table.tBodies[0].rows).filter((row) => row.cells.length === heads.length);
  const value = (cell) => Number(cell.textContent.replace(/[^0-9]/g, "")) || 0;
  return {
    places: rows.map((row) => row.cells[0].textContent.trim()),
    series: heads.slice(1, -1).map((name, index) => ({ name, data: rows.map((row) => value(row.cells[index + 1])) })),
  };
}

function draw(box) {
  const { places, series } = figures(document.getElementById(box.dataset.source));
  if (!places.length) { box.remove(); return; }
  const chart = echarts.init(box, null, { renderer: "svg" });
  chart.setOption({
    animation: false,
    aria: { enabled: true, decal: { show: true } },
    grid: { left: 8, right: 24, top: 40, bottom: 8, containLabel: true },
    legend: { type: "scroll", top: 0 },
    tooltip: { trigger: "axis", axisPointer: { type: "shadow" } },
    xAxis: { type: "value" },
    yAxis: { type: "category", data: places.slice().reverse() },
    series: series.map((one) => ({ ...one, data: one.data.slice().reverse(), type: "bar", stack: "all", barMaxWidth: 26 })),
  });
  addEventListener("resize", () => chart.resize());
}

document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("[data-chart]").forEach(draw));
