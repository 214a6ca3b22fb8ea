import { defineCollection } from 'astro:content';
import { docsLoader } from '@astrojs/starlight/loaders';
import { docsSchema } from '@astrojs/starlight/schema';
import { z } from 'astro/zod';

// What each page says of itself, above its text: for whom, how long, how hard, where one may stop.
const about = z.object({
  for: z.string(),
  minutes: z.number(),
  difficulty: z.enum(['easy', 'middling', 'hard']),
  stop: z.string().optional(),
});

export const collections = {
  docs: defineCollection({
    loader: docsLoader(),
    schema: docsSchema({ extend: z.object({ about: about.optional() }) }),
  }),
};
