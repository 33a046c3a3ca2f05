/** VitePress's own theme with other colours, and with the landmarks that its home and its missing page lack. */
import { Content, useData, withBase } from 'vitepress'
import DefaultTheme, { VPHomeContent, VPHomeHero } from 'vitepress/theme'
import { h } from 'vue'
import './style.css'
import './diagrams.css'

const HomePage = () =>
  h('main', { class: 'VPHome' }, [h(VPHomeHero), h(VPHomeContent, null, () => h(Content))])

/** Links to the pages of the first group of the sidebar: one for each platform, and the first questions. */
const StartPages = () => {
  const [{ items }] = useData().theme.value.sidebar
  const links = items.map(({ text, link }) => h('li', h('a', { href: withBase(link) }, text)))
  return h('ul', { class: 'start-pages' }, links)
}

const MissingPage = () =>
  h('main', { class: 'VPDoc missing' }, [
    h('div', { class: 'vp-doc' }, [
      h('h1', 'This page does not exist'),
      h('p', ['Search, or go to the ', h('a', { href: withBase('/') }, 'home page'), '.']),
    ]),
  ])

export default {
  extends: DefaultTheme,
  Layout: () => h(DefaultTheme.Layout, null, { 'not-found': () => h(MissingPage) }),
  enhanceApp({ app }) {
    app.component('HomePage', HomePage)
    app.component('StartPages', StartPages)
  },
}
