// Draws a chart from the table beside it, so that both always show the same figures. Colours are those of the states,
// a pattern on each series tells them apart without colour.
"use strict";

const TONES = {
  good: ["#2f8f5f", "#7cc29e", "#bfe3cf"],
  busy: ["#2f6fc4", "#83aee3", "#c3d8f2"],
  warn: ["#d08a1d", "#e8bd79", "#f4dfbd"],
  bad: ["#b43636", "#dc8686", "#f0c6c6"],
  idle: ["#7d879b", "#aab2c2", "#d3d8e1"],
};
const ROW_PIXELS = 46;
const FRAME_PIXELS = 84;

function figures(table) {
  const heads = Array.from(table.tHead.rows[0].cells);
  const rows = Array.from(table.tBodies[0].rows).filter((row) => row.cells.length === heads.length);
  const value = (cell) => Number(cell.textContent.replace(/[^0-9]/g, "")) || 0;
  const used = {};
  return {
    places: rows.map((row) => row.cells[0].innerText.trim()),
    series: heads.filter((head) => head.dataset.tone).map((head) => {
      const tone = head.dataset.tone;
      used[tone] = (used[tone] ?? -1) + 1;
      return {
        name: head.textContent.trim(),
        color: TONES[tone][used[tone] % TONES[tone].length],
        data: rows.map((row) => value(row.cells[head.cellIndex])).reverse(),
      };
    }),
  };
}

// Places stand one below the other, days side by side, the oldest first.
function draw(box) {
  const { places, series } = figures(document.getElementById(box.dataset.source));
  if (!places.length) { box.remove(); return; }
  const byDay = box.dataset.chart === "days";
  if (!byDay) box.style.height = `${places.length * ROW_PIXELS + FRAME_PIXELS}px`;
  const chart = echarts.init(box, null, { renderer: "svg" });
  const amounts = { type: "value", splitNumber: 4, minInterval: 1, axisLabel: { hideOverlap: true } };
  const names = { type: "category", data: places.slice().reverse() };
  chart.setOption({
    animation: false,
    aria: { enabled: true, decal: { show: series.length > 1 } },
    grid: { left: 8, right: 24, top: 40, bottom: 8, containLabel: true },
    legend: { type: "scroll", top: 0 },
    tooltip: { trigger: "axis", axisPointer: { type: "shadow" } },
    xAxis: byDay ? names : amounts,
    yAxis: byDay ? amounts : names,
    series: series.map((one) => ({ ...one, type: "bar", stack: "all", barMaxWidth: 26 })),
  });
  addEventListener("resize", () => chart.resize());
}

document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("[data-chart]").forEach(draw));
