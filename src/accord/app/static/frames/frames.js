'use strict';
// The page works as plain links; this adds wheel, keys and reading ahead without a reload.
const stage = document.getElementById('stage');
const figure = stage.querySelector('figure');
const frames = JSON.parse(stage.dataset.frames);
const chosenWindow = stage.dataset.window;
const ahead = 3;
const pictures = new Map();
const total = document.getElementById('count').textContent.split('/')[1].trim();
let place = Number(stage.dataset.place);

function address(at) {
  const query = new URLSearchParams({ accept: 'image/png' });
  if (chosenWindow) query.set('window', chosenWindow);
  return `${stage.dataset.root}/${frames[at - 1]}/rendered?${query}`;
}

function picture(at) {
  let image = pictures.get(at);
  if (!image) {
    image = new Image();
    image.src = address(at);
    pictures.set(at, image);
    if (pictures.size > 200) pictures.delete(pictures.keys().next().value);
  }
  return image;
}

function link(id, at) {
  const element = document.getElementById(id);
  if (at < 1 || at > frames.length) {
    element.removeAttribute('href');
    element.setAttribute('aria-disabled', 'true');
    return;
  }
  const query = new URLSearchParams(window.location.search);
  query.set('frame', at);
  element.href = `?${query}`;
  element.removeAttribute('aria-disabled');
}

function show(at) {
  const target = Math.min(Math.max(at, 1), frames.length);
  if (target === place) return;
  const forward = target > place;
  place = target;
  const image = picture(place);
  image.id = 'picture';
  image.alt = `第 ${place} 幅`;
  const old = document.getElementById('picture');
  if (old !== image) old.replaceWith(image);
  const failed = document.getElementById('failed');
  failed.hidden = !(image.complete && image.naturalWidth === 0);
  image.onerror = () => { failed.hidden = false; };
  image.onload = () => { failed.hidden = true; };
  document.getElementById('count').textContent = `${place} / ${total}`;
  link('previous', place - 1);
  link('next', place + 1);
  const query = new URLSearchParams(window.location.search);
  query.set('frame', place);
  window.history.replaceState(null, '', `?${query}`);
  for (let step = 1; step <= ahead; step += 1) {
    const next = forward ? place + step : place - step;
    if (next >= 1 && next <= frames.length) picture(next);
  }
}

pictures.set(place, document.getElementById('picture'));
document.getElementById('picture').addEventListener('error', () => {
  document.getElementById('failed').hidden = false;
});

figure.addEventListener('wheel', event => {
  event.preventDefault();
  show(place + Math.sign(event.deltaY));
}, { passive: false });

document.addEventListener('keydown', event => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const steps = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1, PageDown: 10, PageUp: -10,
    Home: -frames.length, End: frames.length };
  const step = steps[event.key];
  if (step === undefined) return;
  event.preventDefault();
  show(place + step);
});

for (const [id, step] of [['previous', -1], ['next', 1]]) {
  document.getElementById(id).addEventListener('click', event => {
    event.preventDefault();
    show(place + step);
  });
}
