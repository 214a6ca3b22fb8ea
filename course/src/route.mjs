// An exercise's page has the exercises in its sidebar, by milestone; others only say that there are some, and weigh no
// more for them.
import { defineRouteMiddleware } from '@astrojs/starlight/route-data';

const { all, milestones } = __RUNG_EXERCISES__; // astro.config.mjs: this file is bundled, and knows no folders

const link = ({ name, title }, here) => ({
  type: 'link',
  label: title,
  href: `/exercises/${name}/`,
  isCurrent: here === `exercises/${name}`,
  badge: undefined,
  attrs: {},
});

export const onRequest = defineRouteMiddleware((context) => {
  const route = context.locals.starlightRoute;
  if (!route.id.startsWith('exercises/')) return;
  const at = route.sidebar.findIndex((entry) => entry.type === 'group' && entry.label === 'Build it yourself');
  for (const milestone of Object.keys(milestones)) {
    const entries = all.filter((one) => one.milestone === milestone).map((one) => link(one, route.id));
    const collapsed = !entries.some((entry) => entry.isCurrent);
    if (entries.length > 0)
      route.sidebar[at].entries.push({
        type: 'group',
        label: `${milestone} ${milestones[milestone]}`,
        entries,
        collapsed,
        badge: undefined,
      });
  }
  const here = all.findIndex((one) => route.id === `exercises/${one.name}`);
  const neighbour = (one) => one && link(one, route.id);
  route.pagination = { prev: neighbour(all[here - 1]), next: neighbour(all[here + 1]) };
});
