/* Keys of the reminder. ES5 for old embedded browsers; the page works without this file.
   Nothing is focused. A key that decides counts only after a pause of typing, so that no stray
   key recognises or refuses anything. */
(function () {
  "use strict";
  var card = document.querySelector(".card");
  var quiet = Number((card && card.getAttribute("data-quiet")) || 600);
  var opened = Date.now();
  var lastKey = opened;
  var chosen = null;

  document.documentElement.className += " scripted";

  function byId(id) { return document.getElementById(id); }

  function isTyping(target) {
    var name = target && target.nodeName;
    return name === "INPUT" || name === "TEXTAREA" || name === "SELECT";
  }

  function isControl(target) {
    var name = target && target.nodeName;
    return name === "A" || name === "BUTTON" || name === "SUMMARY" || isTyping(target);
  }

  function grounds() {
    var panel = document.querySelector(".acts ~ .grounds");
    return panel && /\bopen\b/.test(panel.className) ? panel : null;
  }

  function openGrounds() {
    var panel = document.querySelector(".acts ~ .grounds");
    if (!panel) { return false; }
    panel.className += /\bopen\b/.test(panel.className) ? "" : " open";
    if (panel.scrollIntoView) { panel.scrollIntoView(); }
    return true;
  }

  function closeGrounds() {
    var panel = grounds();
    if (!panel) { return false; }
    choose(null);
    panel.className = panel.className.replace(/\s*\bopen\b/, "");
    return true;
  }

  function choose(row) {
    if (chosen) { chosen.className = "ground"; }
    chosen = row;
    if (row) { row.className = "ground chosen"; }
  }

  function pressGround(panel, key) {
    var row, buttons, typed;
    if (chosen) {
      buttons = chosen.querySelectorAll("button");
      if (/^[1-9]$/.test(key) && buttons[Number(key) - 1]) {
        return function () { buttons[Number(key) - 1].click(); };
      }
      return null;
    }
    row = panel.querySelector('.ground[data-key="' + key + '"]');
    if (!row) { return null; }
    typed = row.querySelector("input[name=text]");
    if (typed) { choose(row); typed.focus(); return "done"; }
    buttons = row.querySelectorAll("button");
    if (buttons.length === 1) { return function () { buttons[0].click(); }; }
    choose(row);
    return "done";
  }

  function act(key) {
    var panel = grounds();
    var informing = byId("informing");
    var button;
    if (panel) { return pressGround(panel, key); }
    if (key === "1" && informing) {
      button = informing.querySelector(".told-button");
      return function () { button.click(); };
    }
    if (key === "1" && byId("accept")) {
      button = byId("accept").querySelector("button");
      return button.disabled ? null : function () { button.click(); };
    }
    if (key === "2" && byId("refuse")) { return openGrounds() ? "done" : null; }
    return null;
  }

  document.addEventListener("keydown", function (event) {
    var key = (event.key || "").toLowerCase();
    var now = Date.now();
    var pause = now - lastKey;
    var deed;
    lastKey = now;
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) { return; }
    if (key === "escape" || key === "esc") {
      if (isTyping(event.target)) { event.target.blur(); return; }
      if (chosen) { choose(null); return; }
      if (!closeGrounds() && byId("close")) { byId("close").click(); }
      return;
    }
    if (isTyping(event.target)) { return; }
    if (key === "enter") {
      if (!isControl(event.target) && byId("look")) { event.preventDefault(); byId("look").click(); }
      return;
    }
    deed = act(key);
    if (!deed) { return; }
    event.preventDefault();
    if (typeof deed === "function" && pause >= quiet) { deed(); }
  });

  var refuse = byId("refuse");
  if (refuse) {
    refuse.addEventListener("click", function (event) {
      event.preventDefault();
      openGrounds();
    });
  }
  /* An error about a ground brings the list back to where the physician was. */
  if (document.querySelector(".error") && /\/refuse$/.test(window.location.pathname)) { openGrounds(); }
}());
