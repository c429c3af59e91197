// Before the first paint, so that a dark page never flashes white. The only script that blocks.
'use strict';
(() => {
  try {
    const theme = localStorage.getItem('theme');
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  } catch { /* no storage: the system decides */ }
})();
