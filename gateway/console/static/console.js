// Starts the components of nhsuk-frontend. Every page works without it.
import { initAll } from './nhsuk/nhsuk-frontend.js';

document.body.classList.add('js-enabled', 'nhsuk-frontend-supported');
initAll();

// What just happened is said first: a notice takes the focus, so that it is read out (console.md 9, 2.4.3).
document.querySelector('.nhsuk-notification-banner[tabindex], .nhsuk-error-summary, [data-focus]')?.focus();
