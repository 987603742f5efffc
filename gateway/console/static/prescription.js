// Copies an NHS number, and says so to whoever cannot see it. Without script the buttons are not shown.
for (const button of document.querySelectorAll('[data-copy]')) {
  if (!navigator.clipboard) break;
  button.hidden = false;
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    let said = document.getElementById('copied');
    if (!said) {
      said = Object.assign(document.createElement('p'), { id: 'copied', className: 'nhsuk-u-visually-hidden' });
      said.setAttribute('role', 'status');
      document.querySelector('main').append(said);
    }
    said.textContent = 'Copied.';
    button.firstChild.textContent = 'Copied';
  });
}
for (const button of document.querySelectorAll('[data-print]')) {
  button.hidden = false;
  button.addEventListener('click', () => window.print());
}
