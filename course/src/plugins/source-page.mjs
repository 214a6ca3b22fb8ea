// A file of the source as a page: its lines, each with an address. tools/finish.mjs writes those that pages lead to;
// while writing they are made when somebody asks.
import { existsSync } from 'node:fs';
import { escapeHtml, linesOf, root } from './source.mjs';

export function sourcePage(path) {
  const rows = linesOf(path).map(
    (line, i) =>
      `<span id="L${i + 1}"><a href="#L${i + 1}">${String(i + 1).padStart(4)}</a> ${escapeHtml(line)}</span>`,
  );
  return (
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">` +
    `<title>${path}</title><style>:root{color-scheme:light dark}body{margin:1rem}h1{font:600 1rem system-ui}` +
    `pre{font:.8rem/1.45 ui-monospace,monospace;overflow-x:auto}pre a{color:light-dark(#57606a,#8b949e);text-decoration:none}` +
    `span:target{background:light-dark(#fff3b0,#3b3200);display:inline-block;min-width:100%}</style></head><body><main><h1>${path}</h1>` +
    `<pre tabindex="0">${rows.join('\n')}</pre></main></body></html>\n`
  );
}

/** For `astro dev`: /source/src/ops/kv_cache.h.html. */
export const sourcePagesWhileWriting = {
  name: 'rung-source-pages',
  configureServer(server) {
    server.middlewares.use('/source', (request, answer, next) => {
      const path = decodeURIComponent(new URL(request.url, 'http://x').pathname).replace(/^\/|\.html$/g, '');
      if (path.includes('..') || !existsSync(root + path)) {
        next();
        return;
      }
      answer.setHeader('content-type', 'text/html');
      answer.end(sourcePage(path));
    });
  },
};
