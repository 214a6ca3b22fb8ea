// The course as a static site. A page is one Markdown file in src/content/docs/; what is special in them is made in src/plugins/.
import { readFileSync } from 'node:fs';
import { defineConfig } from 'astro/config';
import starlight from '@astrojs/starlight';
import code from './src/plugins/code.mjs';
import formulas from './src/plugins/formulas.mjs';
import links from './src/plugins/links.mjs';
import numbers from './src/plugins/numbers.mjs';
import questions from './src/plugins/questions.mjs';
import runs from './src/plugins/runs.mjs';
import { sourcePagesWhileWriting } from './src/plugins/source-page.mjs';
import toys from './src/plugins/toys.mjs';

const version = /project\(rung VERSION ([\d.]+)/.exec(readFileSync('../CMakeLists.txt', 'utf8'))[1];

export default defineConfig({
  outDir: '../build/course',
  cacheDir: '../build/course-cache',
  vite: {
    plugins: [sourcePagesWhileWriting],
    define: { __RUNG_VERSION__: JSON.stringify(version) },
    // What a script fetches is named from where the script lies, so that it works under any path.
    experimental: { renderBuiltUrl: (_, { hostType }) => hostType === 'js' ? { relative: true } : undefined },
  },
  markdown: {
    smartypants: false,
    remarkPlugins: [toys, numbers, code, runs, formulas, questions, links],
  },
  integrations: [
    starlight({
      title: 'Rung',
      description: 'From the bytes of a model file to a chat: how language models run, one rung at a time.',
      customCss: ['./src/styles/course.css', './src/styles/toys.css'],
      components: {
        PageTitle: './src/components/PageTitle.astro',
        Footer: './src/components/Footer.astro',
      },
      expressiveCode: { themes: ['github-dark', 'github-light'], styleOverrides: { borderRadius: '4px' } },
      sidebar: [
        { label: 'Start', items: ['index', 'prerequisites', 'ladder'] },
        { label: 'The milestones', items: ['m0-tokenizer', 'm1-weights', 'm2-forward-pass'] },
        { label: 'Look up', items: ['glossary', 'toys', 'diary'] },
      ],
      pagination: true,
      lastUpdated: false,
    }),
  ],
});
