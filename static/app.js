// What pages do better with a script; everything works without it.
(function () {
  "use strict";

  // A scanner ends each code with Enter: in a form with many fields that goes on to the next one instead of
  // sending the form half filled. Ctrl+Enter sends.
  document.addEventListener("keydown", function (event) {
    var field = event.target;
    if (event.key !== "Enter" || !field.form || field.form.dataset.enter !== "next") return;
    if (field.tagName !== "INPUT" && field.tagName !== "SELECT") {
      if (!(event.ctrlKey && field.tagName === "TEXTAREA")) return;
    }
    event.preventDefault();
    if (event.ctrlKey) {
      field.form.requestSubmit();
      return;
    }
    var fields = Array.prototype.filter.call(field.form.elements, function (one) {
      return !one.disabled && one.type !== "hidden" && one.tabIndex >= 0 && one.offsetParent !== null;
    });
    var next = fields[fields.indexOf(field) + 1];
    if (!next) return;
    next.focus();
    if (next.select) next.select();
  });

  // The time from receipt to start, running where the test waits. The server's clock counts, not this one's.
  var loaded = Date.now();
  function spell(ms, days) {
    var minutes = Math.max(0, Math.floor(ms / 60000));
    var d = Math.floor(minutes / 1440), h = Math.floor(minutes / 60) % 24, m = minutes % 60;
    return (d ? d + days + " " : "") + h + ":" + (m < 10 ? "0" : "") + m;
  }
  function tick() {
    document.querySelectorAll("time[data-from]").forEach(function (one) {
      var from = Date.parse(one.dataset.from);
      var to = one.dataset.to ? Date.parse(one.dataset.to) : Date.parse(one.dataset.now) + (Date.now() - loaded);
      if (!isNaN(from) && !isNaN(to)) one.textContent = spell(to - from, one.dataset.d || "d");
    });
  }
  function mark() {
    var marked = document.getElementById("marked");
    var box = marked && marked.closest(".lines");
    if (box) box.scrollTop = marked.offsetTop - box.offsetTop - box.clientHeight / 2;
  }
  document.addEventListener("DOMContentLoaded", function () {
    tick();
    mark();
    setInterval(tick, 15000);
    document.querySelectorAll("[data-print]").forEach(function (one) {
      one.addEventListener("click", function () { window.print(); });
    });
  });
})();
