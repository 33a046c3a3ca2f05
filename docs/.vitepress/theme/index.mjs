/** VitePress's own theme, with other colours. */
import DefaultTheme from 'vitepress/theme'
import './style.css'
import './diagrams.css'

export default DefaultTheme
