// A built page → a chapter of the book. This function runs in the browser, which has a parser and a serializer; it uses
// nothing from outside.
//   html     the page; `name` what it is called among `names`, the pages that are in the book
//   → {title, about, body}: well-formed XHTML; links to pages are "book:slug" or "book:slug#id"; a slug is the name
//   with - for /, and every id is "slug--id".
export function chapter({ html, name, names }) {
  const page = new DOMParser().parseFromString(html, 'text/html');
  const content = page.querySelector('.sl-markdown-content');
  const make = (tag, attributes = {}, ...children) => {
    const made = page.createElement(tag);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };
  const all = (selector) => [...content.querySelectorAll(selector)];
  const move = (from) => [...from.childNodes];
  const slug = (address) => address.replaceAll('/', '-');

  // Code: one <span class="line"> a line, its colours those of the light theme.
  for (const figure of all('.expressive-code > figure')) {
    const lines = [...figure.querySelectorAll('.ec-line .code')].map((line) => {
      for (const span of line.querySelectorAll('[style]')) {
        const light = /--1:(#[0-9a-fA-F]+)/.exec(span.getAttribute('style'))?.[1];
        if (light && light.toLowerCase() !== '#24292e') span.setAttribute('style', `color:${light}`);
        else span.removeAttribute('style');
      }
      const span = make('span', { class: 'line' }, ...move(line));
      if (span.textContent.trim() === '') span.textContent = '';
      span.append('\n');
      return span;
    });
    const title = figure.querySelector('.title')?.textContent;
    const where = figure.parentElement.nextElementSibling?.matches('.where');
    const kind = figure.classList.contains('is-terminal') ? 'terminal' : 'code';
    const made = make(
      'figure',
      { class: lines.length > 25 ? kind : `${kind} short` },
      make('pre', {}, make('code', {}, ...lines)),
    );
    if (title && !where) made.prepend(make('figcaption', {}, title));
    figure.parentElement.replaceWith(made);
  }

  // Questions: asked where they stand, answered at the end of the chapter.
  const answers = [];
  for (const element of all('rung-question, rung-predict')) {
    const number = answers.length + 1;
    const asked = make('section', { class: 'question', id: element.id });
    const answer = make('li', { id: `${element.id}-answer` });
    const to = (id, words) => make('a', { href: `#${id}` }, words);
    if (element.localName === 'rung-question') {
      const choices = [...element.querySelectorAll('.choice')];
      asked.append(
        make(
          'p',
          {},
          make(
            'strong',
            {},
            to(`${element.id}-answer`, `Question ${number}.`),
            ' ',
            ...move(element.querySelector('legend')),
          ),
        ),
        make(
          'ol',
          { class: 'choices' },
          ...choices.map((choice) => make('li', {}, ...move(choice.querySelector('label')))),
        ),
      );
      choices.forEach((choice, i) =>
        answer.append(
          make(
            'p',
            {},
            make('strong', {}, `${'ABCDEFGH'[i]}, ${choice.querySelector('[data-right]') ? 'right' : 'not so'}.`),
            ' ',
            ...move(choice.querySelector('.why')),
          ),
        ),
      );
    } else {
      asked.append(
        make(
          'p',
          {},
          make('strong', {}, to(`${element.id}-answer`, `Question ${number}.`)),
          ' ',
          ...move(element.querySelector('label')),
        ),
      );
      answer.append(...element.querySelectorAll('details > p'));
    }
    answers.push(answer);
    element.replaceWith(asked);
  }
  if (answers.length > 0)
    content.append(make('h2', { id: 'answers' }, 'Answers'), make('ol', { class: 'answers' }, ...answers));

  // What unfolds is unfolded; a toy is its figure; what only a page needs goes.
  for (const details of all('details')) {
    const summary = details.querySelector('summary');
    details.replaceWith(
      make(
        'div',
        { class: 'unfolded' },
        ...(summary ? [make('p', {}, make('strong', {}, ...move(summary)))] : []),
        ...move(details).filter((node) => node !== summary),
      ),
    );
  }
  for (const caption of all('figcaption')) {
    const last = caption.lastChild;
    if (last?.nodeType === 3) last.textContent = last.textContent.replace(/\s*With JavaScript [^.]*\.\s*$/, ''); // paper has none
  }
  for (const gone of all(
    'script, style, link, button, input, select, template, .sl-anchor-link, .sr-only, [data-pagefind-ignore], [hidden]',
  ))
    gone.remove();
  for (const wrapper of all('*').reverse()) {
    if (
      (wrapper.localName.includes('-') && wrapper.namespaceURI.endsWith('xhtml')) ||
      wrapper.matches('.sl-heading-wrapper, .expressive-code, noscript')
    )
      wrapper.replaceWith(...move(wrapper));
    if (wrapper.matches('label, fieldset, legend')) wrapper.replaceWith(make('span', {}, ...move(wrapper)));
  }
  for (const table of all('table')) table.replaceWith(make('div', { class: 'table' }, table.cloneNode(true)));

  // Links: into the book where they can be, as plain words where they lead to what the book has not.
  const own = new URL(name === 'index' ? 'http://site/' : `http://site/${name}/`);
  for (const link of all('a')) {
    const raw = link.getAttribute('href');
    const url = raw === null ? null : new URL(raw, own);
    if (url && url.host !== 'site') continue;
    const target = url?.pathname.replace(/(index)?(\.html)?$/, '').replace(/^\/|\/$/g, '') || 'index';
    if (!url || !names.includes(target)) {
      link.replaceWith(...move(link));
      continue;
    }
    const id =
      url.hash === '' || url.hash === '#_top' ? '' : `#${slug(target)}--${decodeURIComponent(url.hash.slice(1))}`;
    link.setAttribute('href', `book:${slug(target)}${id}`);
  }
  const kept = [
    'class',
    'id',
    'href',
    'style',
    'src',
    'alt',
    'title',
    'lang',
    'colspan',
    'rowspan',
    'scope',
    'start',
    'type',
    'role',
    'aria-label',
    'aria-hidden',
    'aria-labelledby',
  ];
  for (const element of all('*')) {
    if (element.id) element.id = `${slug(name)}--${element.id}`;
    for (const part of ['aria-labelledby', 'aria-describedby']) {
      if (element.hasAttribute(part))
        element.setAttribute(
          part,
          element
            .getAttribute(part)
            .split(' ')
            .map((id) => `${slug(name)}--${id}`)
            .join(' '),
        );
    }
    if (element.namespaceURI !== 'http://www.w3.org/1999/xhtml') continue; // drawings and formulas keep all they have
    for (const { name: attribute } of [...element.attributes])
      if (!kept.includes(attribute)) element.removeAttribute(attribute);
    if (element.matches('div.formula, span')) for (const part of ['role', 'aria-label']) element.removeAttribute(part);
  }
  const xml = (node) => new XMLSerializer().serializeToString(node);
  const about = page.querySelector('.about');
  return {
    title: page.querySelector('h1').textContent.trim(),
    about: about ? [...about.querySelectorAll('span')].map((span) => span.textContent.trim()).join(' · ') : '',
    built: page.querySelector('.built').textContent.trim(),
    body: [...content.childNodes].map(xml).join(''),
  };
}

// The pages of the sidebar, in its order: [{group, pages: [name]}].
export function contents(html) {
  const page = new DOMParser().parseFromString(html, 'text/html');
  const name = (link) =>
    new URL(link.getAttribute('href'), 'http://site/').pathname
      .replace(/(index)?(\.html)?$/, '')
      .replace(/^\/|\/$/g, '') || 'index';
  return [...page.querySelectorAll('.sidebar-content ul.top-level > li')].map((part) => ({
    group: part.querySelector('summary')?.textContent.trim() ?? '',
    pages: [...part.querySelectorAll('a')].map(name),
  }));
}
