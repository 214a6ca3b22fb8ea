// The course as a static site. A page is one Markdown file in src/content/docs/; what is special in them is made in
// src/plugins/.
import { defineConfig } from 'astro/config';
import starlight from '@astrojs/starlight';
import code from './src/plugins/code.mjs';
import exerciseList, { exercisePages, exercises, milestones } from './src/plugins/exercises.mjs';
import formulas from './src/plugins/formulas.mjs';
import links from './src/plugins/links.mjs';
import numbers from './src/plugins/numbers.mjs';
import questions from './src/plugins/questions.mjs';
import runs from './src/plugins/runs.mjs';
import { version } from './src/plugins/source.mjs';
import { sourcePagesWhileWriting } from './src/plugins/source-page.mjs';
import together from './src/plugins/together.mjs';
import toys from './src/plugins/toys.mjs';

export default defineConfig({
  outDir: '../build/course',
  cacheDir: '../build/course-cache',
  vite: {
    plugins: [sourcePagesWhileWriting],
    define: {
      __RUNG_VERSION__: JSON.stringify(version),
      __RUNG_EXERCISES__: JSON.stringify({
        all: exercises().map(({ name, title, milestone }) => ({ name, title, milestone })),
        milestones,
      }),
    },
    // What a script fetches is named from where the script lies, so that it works under any path.
    experimental: { renderBuiltUrl: (_, { hostType }) => (hostType === 'js' ? { relative: true } : undefined) },
  },
  markdown: {
    smartypants: false,
    remarkPlugins: [exerciseList, toys, numbers, code, runs, formulas, questions, links, together],
  },
  integrations: [
    exercisePages,
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
        {
          label: 'The milestones',
          items: [
            'm0-tokenizer',
            'm1-weights',
            'm2-forward-pass',
            'm3-generation',
            'm4-kv-cache',
            'm5-quantization',
            'm6-kernels',
            'm7-metal',
            'm8-chat-and-serving',
            'm9-beyond',
          ],
        },
        {
          label: 'Learnings',
          collapsed: true,
          items: [
            'learnings/two-files',
            'learnings/bpe-and-sentencepiece',
            'learnings/embeddings',
            'learnings/reading-shapes',
            'learnings/mmap-and-page-faults',
            'learnings/bf16-is-half-an-f32',
            'learnings/rows-and-strides',
            'learnings/config-json',
            'learnings/anatomy-of-a-block',
            'learnings/attention-by-hand',
            'learnings/two-rope-conventions',
            'learnings/why-gqa',
            'learnings/online-softmax',
            'learnings/decode-and-prefill',
            'learnings/a-quantised-block',
            'learnings/forged-roles',
            'learnings/same-seed',
            'learnings/a-gpu-thread',
            'learnings/prefix-trees',
          ],
        },
        { label: 'Build it yourself', items: ['exercises'] },
        { label: 'In the page', items: ['look-inside', 'mistakes'] },
        { label: 'Look up', items: ['glossary', 'toys', 'diary'] },
      ],
      routeMiddleware: './src/route.mjs',
      pagination: true,
      lastUpdated: false,
    }),
  ],
});
