// Runs before the first paint: marks that scripts work and applies the settings of this device.
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  try {
    const theme = localStorage.getItem("theme");
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    if (localStorage.getItem("apart") === "on") root.classList.add("is-apart");
  } catch { /* storage may be forbidden; the system's scheme stays */ }
})();
