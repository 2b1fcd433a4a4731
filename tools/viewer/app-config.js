// Loaded by OHIF before anything else. Plain JavaScript of the browser, no build step.
(function () {
  // OHIF follows the browser's language only where it knows the exact tag; ours is always Chinese.
  const query = new URLSearchParams(window.location.search);
  if (!query.has('lng')) {
    query.set('lng', 'zh');
    window.history.replaceState(null, '', `${window.location.pathname}?${query}`);
  }

  const opened = window.location.pathname + window.location.search;
  let leaving = false;

  // The server states entitlement in the metadata; private tags keep their number as name.
  const MARK_CREATOR = '00210010';
  const MARK_TEXT = '00211001';
  const markOf = instance =>
    instance && instance[MARK_CREATOR] === 'ACCORD HR' ? instance[MARK_TEXT] : null;
  const mark = ({ instance, referenceInstance, instances }) =>
    markOf(instance) || markOf(referenceInstance) || markOf((instances || [])[0]) || null;

  // &hangingProtocolId=compare: the first study named on the left, the second on the right.
  // OHIF's own protocol for two studies leaves two empty panes below.
  const studyAt = index => ({
    studyMatchingRules: [
      {
        attribute: 'studyInstanceUIDsIndex',
        from: 'options',
        required: true,
        constraint: { equals: { value: index } },
      },
    ],
    seriesMatchingRules: [
      { attribute: 'numImageFrames', constraint: { greaterThan: { value: 0 } } },
      { attribute: 'isDisplaySetFromUrl', weight: 20, constraint: { equals: true } },
    ],
  });
  const pane = selector => ({
    viewportOptions: { viewportType: 'stack', toolGroupId: 'default', allowUnmatchedView: true },
    displaySets: [{ id: selector }],
  });
  const compare = {
    id: 'compare',
    name: '两次检查对比',
    description: '左右并列两次检查',
    numberOfPriorsReferenced: 1,
    protocolMatchingRules: [],
    toolGroupIds: ['default'],
    displaySetSelectors: { firstStudy: studyAt(0), secondStudy: studyAt(1) },
    defaultViewport: pane('firstStudy'),
    stages: [
      {
        name: '1x2',
        viewportStructure: { layoutType: 'grid', properties: { rows: 1, columns: 2 } },
        viewports: [pane('firstStudy'), pane('secondStudy')],
      },
    ],
  };

  window.config = {
    name: 'accord',
    routerBasename: '/viewer',
    extensions: [
      { id: 'accord', getHangingProtocolModule: () => [{ name: compare.id, protocol: compare }] },
    ],
    modes: [],
    customizationService: [
      {
        // An English tour of eleven steps would cover the images.
        'ohif.tours': { $set: [] },
        'studyBrowser.studyMode': { $set: 'primary' },
        'viewportOverlay.topRight': {
          $set: [
            {
              id: 'MutualRecognitionMark',
              inheritsFrom: 'ohif.overlayItem',
              title: '互认标识',
              label: '',
              color: '#ffd666',
              condition: props => mark(props) !== null,
              contentF: props => mark(props),
            },
          ],
        },
      },
    ],
    // The session may end while images are open; come back to them after the login. Several
    // requests fail at once, and OHIF leaves the address meanwhile: the first one counts.
    httpErrorHandler: error => {
      if (error && error.status === 401 && !leaving) {
        leaving = true;
        window.location.assign(`/login?next=${encodeURIComponent(opened)}`);
      }
    },
    showStudyList: false,
    maxNumberOfWebWorkers: 2,
    showWarningMessageForCrossOrigin: false,
    showCPUFallbackMessage: true,
    showLoadingIndicator: true,
    strictZSpacingForVolumeViewport: true,
    investigationalUseDialog: { option: 'never' },
    // A hidden name is a safety risk for the physician who compares.
    showPatientInfo: 'visible',
    disableConfirmationPrompts: true,
    measurementTrackingMode: 'none',
    showErrorDetails: 'production',
    maxNumRequests: { interaction: 20, thumbnail: 5, prefetch: 10 },
    whiteLabeling: {
      createLogoComponentFn: React =>
        React.createElement(
          'span',
          { style: { color: '#fff', fontWeight: 600, whiteSpace: 'nowrap' } },
          '川渝影像互认 · 阅片'
        ),
    },
    defaultDataSourceName: 'local',
    dataSources: [
      {
        namespace: '@ohif/extension-default.dataSourcesModule.dicomweb',
        sourceName: 'local',
        configuration: {
          friendlyName: '影像库',
          name: 'local',
          qidoRoot: '/dicom-web',
          wadoRoot: '/dicom-web',
          wadoUriRoot: '/dicom-web',
          qidoSupportsIncludeField: true,
          imageRendering: 'wadors',
          thumbnailRendering: 'wadors',
          enableStudyLazyLoad: true,
          supportsFuzzyMatching: false,
          supportsWildcard: false,
          supportsReject: false,
          omitQuotationForMultipartRequest: true,
          singlepart: false,
          bulkDataURI: { enabled: false },
        },
      },
    ],
  };
})();
