/** VitePress's own theme with other colours, and with the landmarks that its home and its missing page lack. */
import { Content, withBase } from 'vitepress'
import DefaultTheme, { VPHomeContent, VPHomeHero } from 'vitepress/theme'
import { h } from 'vue'
import './style.css'
import './diagrams.css'

const HomePage = () =>
  h('main', { class: 'VPHome' }, [h(VPHomeHero), h(VPHomeContent, null, () => h(Content))])

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
  enhanceApp: ({ app }) => app.component('HomePage', HomePage),
}
