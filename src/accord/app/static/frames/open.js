'use strict';
// A virtual desktop or an old machine without WebGL2 would show an empty viewer.
const canvas = document.createElement('canvas');
const able = window.WebGL2RenderingContext && canvas.getContext('webgl2');
window.location.replace(document.getElementById(able ? 'viewer' : 'frames').href);
